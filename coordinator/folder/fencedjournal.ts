/**
 * A journal in a folder that several coordinators see: FENCE.jsonl is that of one leader, FENCE.claim says that one has
 * opened it. Who opens it claims it first, then copies the newest file to its own. After each write the folder is looked
 * at, and a newer claim says that what was written is nobody's decision: where there was none the write came before the
 * claim, and so before the newer leader read.
 */
import { readdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LimbeckError } from "../../core/errors.ts";
import { makeFolder, writing } from "../../proto/files.ts";
import type { Journal } from "../store.ts";
import { openJournalFile } from "./journal.ts";

export interface FencedJournalOptions {
  readonly fence: number;
  /** Tells a leadership from all others, also from one that took itself to have the same fence. */
  readonly writer: string;
  /** Resolves when this leader may decide; rejects with `stale_term` once another leads. */
  held(): Promise<void>;
}

/** @throws LimbeckError `stale_term` where a newer leader has opened it, `corrupt` where it is damaged, `unavailable` */
export async function openFencedJournal<R>(folder: string, options: FencedJournalOptions): Promise<Journal<R>> {
  const { fence, held } = options;
  await writing(folder, () => makeFolder(folder));
  await claim(folder, options);
  const files = await filesIn(folder);
  refuseNewer(folder, files, fence);
  const newest = files.filter(({ kind }) => kind === "jsonl").sort((a, b) => b.fence - a.fence)[0];
  const own = `${fence}.jsonl`;
  const journal = await openJournalFile<R>(join(folder, own), join(folder, newest?.name ?? own));
  await removeUpTo(folder, files, fence - 1);
  const isOurs = async () => {
    const files = await filesIn(folder);
    refuseNewer(folder, files, fence);
    if (!files.some(({ name }) => name === own)) throw stale(`${join(folder, own)} was removed`);
  };
  const guarded = async (write: () => Promise<void>) => {
    await held();
    try {
      await write();
    } catch (thrown) {
      await isOurs(); // A file that another leader has removed cannot be written on every disk.
      throw thrown;
    }
    await isOurs();
    await held();
  };
  return {
    ...journal,
    append: (record) => guarded(() => journal.append(record)),
    compact: (records) => guarded(() => journal.compact(records)),
  };
}

/** What leaders up to this one have of it; what a newer one has stays. */
export async function forgetFencedJournal(folder: string, fence: number): Promise<void> {
  await writing(folder, async () => {
    await removeUpTo(folder, await filesIn(folder), fence);
    await rmdir(folder).catch((thrown: NodeJS.ErrnoException) => {
      if (!["ENOENT", "ENOTEMPTY", "EEXIST"].includes(thrown.code ?? "")) throw thrown;
    });
  });
}

/** The highest of those that have opened it; 0 where nobody has. */
export async function highestFence(folder: string): Promise<number> {
  return Math.max(0, ...(await filesIn(folder)).map(({ fence }) => fence));
}

async function claim(folder: string, { fence, writer }: FencedJournalOptions): Promise<void> {
  const file = join(folder, `${fence}.claim`);
  await writing(file, async () => {
    try {
      await writeFile(file, writer, { flag: "wx" });
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== "EEXIST") throw thrown;
      if ((await readFile(file, "utf8")) !== writer) throw stale(`${file} is another leader's`);
    }
  });
}

/** Fences that another one can come after: no coordinator has named a file by a larger number. */
const ownName = /^(\d{1,15})\.(.*)$/;

interface Found {
  readonly name: string;
  readonly fence: number;
  /** `other`: what a crash has left of writing one. */
  readonly kind: "jsonl" | "claim" | "other";
}

function filesIn(folder: string): Promise<Found[]> {
  return writing(folder, async () => {
    const names = await readdir(folder).catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code === "ENOENT") return [];
      throw thrown;
    });
    return names.flatMap((name) => {
      const [, fence, kind] = ownName.exec(name) ?? [];
      if (fence === undefined) return [];
      return [{ name, fence: Number(fence), kind: kind === "jsonl" || kind === "claim" ? kind : "other" } as const];
    });
  });
}

function refuseNewer(folder: string, files: readonly Found[], fence: number): void {
  const newer = files.find((file) => file.fence > fence);
  if (newer) throw stale(`the leader with fence ${newer.fence} writes ${folder}, this one has fence ${fence}`);
}

function stale(why: string): LimbeckError {
  return new LimbeckError("stale_term", `this coordinator leads no more: ${why}`);
}

async function removeUpTo(folder: string, files: readonly Found[], fence: number): Promise<void> {
  for (const file of files) if (file.fence <= fence) await rm(join(folder, file.name), { force: true });
}
