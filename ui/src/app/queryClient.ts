// How answers are kept and asked for again.

import { QueryClient } from "@tanstack/react-query";
import { mayPass } from "../api/http";

const RETRIES = 2;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // A server on this machine or in this network answers without the internet.
      networkMode: "always",
      refetchOnWindowFocus: false,
      // A mistake in a query does not mend itself; a server that restarts comes back.
      retry: (failures, error) => failures < RETRIES && mayPass(error),
    },
  },
});
