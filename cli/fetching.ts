/** Fetching a job's files: each is written whole or not at all, and none outside the folder that was named. */
import { lstat, mkdir, open, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, normalize, sep } from "node:path";
import { setTimeout } from "node:timers/promises";
import { backoffMs } from "../core/backoff.ts";
import { asLimbeckError, LimbeckError } from "../core/errors.ts";
import { bytesText } from "../core/words.ts";
import { syncFolder, writing } from "../proto/files.ts";
import type { Artifact, Jobs } from "../proto/jobs.ts";

export interface Fetched {
  readonly fetched: readonly string[];
  /** There already, of the same size. */
  readonly kept: readonly string[];
  /** Of those that were fetched. */
  readonly bytes: number;
}

const attempts = 6;
const again = { firstMs: 200, longestMs: 3_000 };
/** Before progress is told. */
const quietMs = 1_000;
const everyMs = { terminal: 200, elsewhere: 5_000 };

/**
 * Called again after it broke off, it goes on with what is missing.
 * @throws LimbeckError `corrupt` for a path that leads out of the folder, or a file that is not what the list says;
 * `unavailable` where a file cannot be fetched or written
 */
export async function fetchAll(
  jobs: Jobs,
  job: string,
  { artifacts, folder }: { readonly artifacts: readonly Artifact[]; readonly folder: string },
): Promise<Fetched> {
  for (const { path } of artifacts) refuseEscape(path, folder);
  await writing(folder, () => mkdir(folder, { recursive: true }));
  const root = await realpath(folder);
  const total = artifacts.reduce((sum, { bytes }) => sum + bytes, 0);
  const fetched: string[] = [];
  const kept: string[] = [];
  let [bytes, passed] = [0, 0];
  const progress = tellProgress(() => {
    const files = `${fetched.length + kept.length} of ${artifacts.length} files`;
    return `fetched ${files}, ${bytesText(passed)} of ${bytesText(total)}`;
  });
  const came = (count: number) => {
    passed += count;
  };
  try {
    for (const artifact of artifacts) {
      const target = join(root, artifact.path);
      await writing(target, () => mkdir(dirname(target), { recursive: true }));
      await refuseLinkedEscape(artifact.path, root);
      if ((await sizeOf(target)) === artifact.bytes) {
        kept.push(artifact.path);
        passed += artifact.bytes;
        continue;
      }
      const pieces = () => jobs.fetch(job, artifact.path);
      await persistently(() => fetchWhole(target, artifact, { pieces, came }));
      fetched.push(artifact.path);
      bytes += artifact.bytes;
    }
  } finally {
    progress.end();
  }
  return { fetched, kept, bytes };
}

function refuseEscape(path: string, folder: string): void {
  const inside = normalize(path);
  const isInside = path !== "" && !isAbsolute(path) && inside !== "." && inside.split(sep)[0] !== "..";
  if (isInside && !path.includes("\0") && !inside.endsWith(sep)) return;
  throw new LimbeckError(
    "corrupt",
    `the coordinator lists ${JSON.stringify(path)}, which leads out of ${folder}: nothing is fetched`,
  );
}

/** A link that lies in the folder may lead out of it. */
async function refuseLinkedEscape(path: string, root: string): Promise<void> {
  const above = await realpath(dirname(join(root, path)));
  if (above === root || above.startsWith(root.endsWith(sep) ? root : root + sep)) return;
  throw new LimbeckError("corrupt", `${path} would be written to ${above}, out of ${root}, by a link there: remove it`);
}

/** null where it is no file. */
async function sizeOf(path: string): Promise<number | null> {
  const found = await lstat(path).catch(() => null);
  return found?.isFile() ? found.size : null;
}

/** A coordinator that goes away in the middle, or another that decides now, is asked anew. */
async function persistently(fetchOne: () => Promise<void>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await fetchOne();
    } catch (thrown) {
      const { code } = asLimbeckError(thrown);
      const mayPass = code === "unavailable" || code === "not_leader" || code === "stopped";
      if (!mayPass || attempt + 1 === attempts) throw thrown;
    }
    await setTimeout(backoffMs(again, attempt, Math.random()));
  }
}

/** L4. */
async function fetchWhole(
  target: string,
  { path, bytes }: Artifact,
  { pieces, came }: { pieces(): AsyncIterable<Uint8Array>; came(count: number): void },
): Promise<void> {
  const temporary = join(dirname(target), `.${basename(target)}.part-${process.pid}`);
  let written = 0;
  try {
    const file = await writing(target, () => open(temporary, "w"));
    try {
      for await (const piece of pieces()) {
        await writing(target, () => file.writeFile(piece));
        written += piece.length;
        came(piece.length);
      }
      await writing(target, () => file.sync());
    } finally {
      await file.close();
    }
    // A log of a job that runs has grown since it was listed.
    if (written < bytes) {
      const message = `${path} has ${written} bytes, and ${bytes} are listed: fetch it again when the job is over`;
      throw new LimbeckError("corrupt", message);
    }
    await writing(target, async () => {
      if ((await stat(target).catch(() => null))?.isDirectory())
        throw new LimbeckError("unavailable", `${target} is a folder: move it away`);
      await rename(temporary, target);
      await syncFolder(dirname(target));
    });
  } catch (thrown) {
    came(-written);
    await rm(temporary, { force: true });
    throw thrown;
  }
}

/** On stderr, where it takes longer: in place on a terminal, else a line now and then. */
function tellProgress(text: () => string): { end(): void } {
  const { isTTY } = process.stderr;
  let isShown = false;
  const show = () => {
    isShown = true;
    process.stderr.write(isTTY ? `\r\u001b[K${text()}` : `limbeck: ${text()}\n`);
  };
  let timer = globalThis.setTimeout(() => {
    show();
    timer = setInterval(show, isTTY ? everyMs.terminal : everyMs.elsewhere);
  }, quietMs);
  return {
    end() {
      clearTimeout(timer);
      clearInterval(timer);
      if (isShown && isTTY) process.stderr.write("\r\u001b[K");
    },
  };
}
