/** What the coordinator must know again after a crash. */
export type JournalRecord = { readonly kind: string } & Record<string, unknown>;
