/** The manifest on disk: JSON that carries its own sha256, so that no byte of it changes unseen. */
import { LimbeckError } from "../../core/errors.ts";
import { type Manifest, manifestSchema } from "../../core/manifest.ts";
import { readFileWithin } from "../../proto/files.ts";
import { sha256Hex } from "./digest.ts";

/** A parameter takes some hundred bytes. */
const mostManifestBytes = 64 << 20;

/** The text of manifest.json. */
export function sealManifest(manifest: unknown): string {
  const sha256 = sha256Hex(JSON.stringify(manifest));
  return `${JSON.stringify({ manifest, sha256 }, null, 2)}\n`;
}

/**
 * Reads a manifest.json.
 * @throws LimbeckError `corrupt` where it is missing or differs from what was written by a single byte
 */
export async function readManifest(path: string): Promise<Manifest> {
  const text = new TextDecoder().decode(await readWhole(path, mostManifestBytes));
  let sealed: { manifest?: unknown } | null;
  let again: string;
  try {
    sealed = JSON.parse(text);
    again = sealManifest(sealed?.manifest ?? null);
  } catch (cause) {
    throw new LimbeckError("corrupt", `${path} is not JSON`, { cause });
  }
  // Written again, it must be the same text: that covers the digest, and the spaces it does not cover.
  if (again !== text) {
    throw new LimbeckError("corrupt", `${path} is not what was written: its sha256 does not match`);
  }
  const parsed = manifestSchema.safeParse(sealed?.manifest);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new LimbeckError("corrupt", `${path} is of another version: ${issue?.path.join(".")}: ${issue?.message}`);
}

/** Of the texts of two manifests: the same files of the same step and job, whoever wrote them, in whatever term. */
export function isSameCheckpoint(one: Uint8Array, other: Uint8Array): boolean {
  const [first, second] = [one, other].map((text) => {
    try {
      const { term: _, ...rest } = manifestSchema.parse(JSON.parse(new TextDecoder().decode(text)).manifest);
      return JSON.stringify(rest);
    } catch {
      return null; // Damaged: it is no checkpoint.
    }
  });
  return first !== null && first === second;
}

/** Of a file that is there, and is none that was written: another checkpoint may do. */
const notWritten: ReadonlySet<string> = new Set(["EIO", "EISDIR", "ENOTSUP", "EFBIG", "ELOOP"]);

/**
 * A file of a checkpoint.
 * @param mostBytes of a larger one nothing is read
 * @throws LimbeckError `corrupt` where it is missing, larger, no file, or cannot be read off the disk, `unavailable` where
 * reading is refused
 */
export async function readWhole(path: string, mostBytes: number): Promise<Uint8Array> {
  try {
    return await readFileWithin(path, mostBytes);
  } catch (cause) {
    const { code = "", message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") throw new LimbeckError("corrupt", `${path} is missing`, { cause });
    const kind = notWritten.has(code) ? "corrupt" : "unavailable";
    throw new LimbeckError(kind, `cannot read ${path}: ${message}`, { cause });
  }
}
