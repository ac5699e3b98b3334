// How answers are kept and asked for again.

import { QueryClient } from "@tanstack/react-query";
import { ApiError } from "../api/http";

const RETRIES = 2;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      refetchOnWindowFocus: false,
      // A mistake in a query does not mend itself; a server that restarts comes back.
      retry: (failures, error) =>
        failures < RETRIES && error instanceof ApiError && (error.status === 0 || error.status >= 502),
    },
  },
});
