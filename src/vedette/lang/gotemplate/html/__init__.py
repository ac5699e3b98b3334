"""Templates that write HTML: what they are given is escaped by the place where it stands.

Source: Go's `html/template` (https://pkg.go.dev/html/template).
"""
