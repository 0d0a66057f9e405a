/**
 * A process that wants to lead, of a folder or on NATS, and appends numbers to a journal while it does:
 * `contender NAME folder DIR` or `contender NAME nats URL CLUSTER`. Says over IPC {fence}, {standby}, {at} and {lost}.
 */
import { openFolderStore } from "../../coordinator/folder/store.ts";
import { openNatsStore } from "../../coordinator/nats/store.ts";
import type { Store } from "../../coordinator/store.ts";
import { asLimbeckError } from "../../core/errors.ts";
import { connectNats } from "../../proto/nats.ts";

const [, , name = "", kind = "", where = "", cluster = ""] = process.argv;
const say = (words: Record<string, unknown>) => void process.send!(words);

async function openStore(): Promise<Store> {
  if (kind === "folder") return openFolderStore(where);
  return openNatsStore({ nats: await connectNats({ urls: where.split(","), name }), cluster });
}

const store = await openStore();
const identity = { name, address: `${name}:1`, http: `${name}:2` };
const { signal } = new AbortController();
const leadership = await store.lead(identity, { signal, standby: (leader) => say({ standby: leader?.name ?? null }) });
process.on("message", () => void leadership.resign().then(() => process.exit()));
void leadership.lost.then((why) => say({ lost: why, holds: leadership.holds() }));
const journal = await leadership.journal<{ at: number; fence: number }>("job");
say({ fence: leadership.fence, records: journal.records.length });
try {
  for (let at = journal.records.length; ; at++) {
    await journal.append({ at, fence: leadership.fence });
    say({ at });
  }
} catch (thrown) {
  const { code, message } = asLimbeckError(thrown);
  say({ code, message });
}
