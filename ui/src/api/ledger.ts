// The books of what came in, by source.

import { getJson } from "./http";

export interface LedgerSource {
  readonly source: string;
  readonly received: number;
  readonly stored: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly balanced: boolean;
  readonly lastProblem: string | null;
}

export const getLedger = async (signal?: AbortSignal): Promise<LedgerSource[]> =>
  (await getJson<{ sources: LedgerSource[] }>("/api/vedette/v1/ledger", signal)).sources;
