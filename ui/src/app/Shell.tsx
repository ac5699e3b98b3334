// The frame around every page: navigation, time range, command palette, theme, account.

import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { logOut } from "../api/session";
import { ActionMenu, Button, Dialog, IconButton } from "../design/controls";
import { Icon } from "../design/Icon";
import { Warnings } from "../design/States";
import { chooseTheme, useTheme } from "../design/theme";
import { PAGES } from "./pages";
import { Palette } from "./palette/Palette";
import css from "./Shell.module.css";
import { SessionGate, useSession } from "./session/SessionGate";
import { TimeProvider, usePageTime } from "./time/TimeContext";
import { TimePicker } from "./time/TimePicker";

export function Shell() {
  return (
    <SessionGate>
      <TimeProvider>
        <Frame />
      </TimeProvider>
    </SessionGate>
  );
}

function Frame() {
  const [isFinding, setFinding] = useState(false);
  const [isMenuOpen, setMenuOpen] = useState(false);
  const { range, isInvalid } = usePageTime();
  const path = useRouterState({ select: (state) => state.location.pathname });
  // biome-ignore lint/correctness/useExhaustiveDependencies: closed when the path has changed
  useEffect(() => setMenuOpen(false), [path]);
  return (
    <div className={css.shell}>
      <a className={css.skip} href="#main">
        Skip to the content
      </a>
      <aside className={css.side}>
        <Brand />
        <Navigation />
        <Account />
      </aside>
      <div>
        <header className={css.bar}>
          <span className={css.onlySmall}>
            <IconButton label="Menu" icon="menu" onPress={() => setMenuOpen(true)} />
          </span>
          <span className={css.onlyLarge}>
            <Button icon="search" onPress={() => setFinding(true)}>
              <span className="dim">Find anything</span> <kbd>Ctrl K</kbd>
            </Button>
          </span>
          <span className={css.onlySmall}>
            <IconButton label="Find anything" icon="search" onPress={() => setFinding(true)} />
          </span>
          <span className="spread">
            <TimePicker />
          </span>
          <ThemeButton />
        </header>
        <main id="main" className={css.main}>
          {isInvalid && (
            <Warnings texts={[`"${range.from}" to "${range.to}" is no time range; the last hour is shown instead.`]} />
          )}
          <Outlet />
        </main>
      </div>
      <Palette isOpen={isFinding} onOpenChange={setFinding} />
      <Dialog label="Menu" isOpen={isMenuOpen} onOpenChange={setMenuOpen}>
        <div className="stack">
          <Brand />
          <Navigation />
          <Account />
        </div>
      </Dialog>
    </div>
  );
}

function Brand() {
  return (
    <Link to="/" className={css.brand ?? ""}>
      <img src="/favicon.svg" width={22} height={22} alt="" />
      Vedette
    </Link>
  );
}

function Navigation() {
  return (
    <nav className={css.nav} aria-label="Pages">
      {PAGES.filter((page) => !page.isHidden).map((page) => (
        <Link
          key={page.to}
          to={page.to}
          className={css.navItem ?? ""}
          activeOptions={{ exact: page.to === "/", includeSearch: false }}
        >
          <Icon name={page.icon} />
          {page.title}
        </Link>
      ))}
    </nav>
  );
}

function Account() {
  const session = useSession();
  if (session.proof !== "session")
    return (
      <div className={css.foot}>
        {/* Programs of the server's own user may read on its own machine; for more one logs in. */}
        <Button look="quiet" icon="user" onPress={logInFromHere}>
          Log in
        </Button>
      </div>
    );
  return (
    <div className={css.foot}>
      <ActionMenu
        label="Account"
        actions={[
          {
            id: "password",
            label: "Change the password",
            icon: "user",
            onAction: () => location.assign("/set-password"),
          },
          {
            id: "out",
            label: "Log out",
            icon: "right",
            onAction: () => logOut().then(() => location.assign("/login")),
          },
        ]}
      >
        <Button look="quiet" icon="user">
          {session.name}
        </Button>
      </ActionMenu>
    </div>
  );
}

function logInFromHere(): void {
  location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

function ThemeButton() {
  const theme = useTheme();
  const other = theme === "dark" ? "light" : "dark";
  return (
    <IconButton
      label={`Switch to the ${other} theme`}
      icon={theme === "dark" ? "sun" : "moon"}
      onPress={() => chooseTheme(other)}
    />
  );
}
