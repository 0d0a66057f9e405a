/** L6. What soft targets are made for, and whether a reply is for the very key that was asked with. */
import { crc32 } from "node:zlib";
import { LimbeckError } from "../../core/errors.ts";
import type { SoftTargets__Output } from "../../proto/gen/limbeck/v1/SoftTargets.ts";
import { isErrorCode } from "../../proto/status.ts";
import { bytesOf } from "../bytes.ts";

export interface SoftTargetKey {
  /** sha256 of the teacher's weights; "" for the one the teachers loaded themselves, which must be the same for all. */
  readonly teacher: string;
  /** Digest of the dataset. */
  readonly dataset: string;
  /** Ids in the training split: one lane batch, one forward pass. */
  readonly examples: Uint32Array;
  /** The epoch, or 0 where the stage has no augmented views. */
  readonly view: number;
}

export class Provenance {
  readonly #term: number;
  /** The teacher the replies so far came from. */
  #loaded: string | null = null;

  constructor(term: number) {
    this.#term = term;
  }

  /** sha256 of the teacher that the replies so far came from; null before the first. */
  get teacher(): string | null {
    return this.#loaded;
  }

  /**
   * Throws what the teacher refused with, stale_term, wrong_key, or `corrupt` where the reply is damaged.
   * @param inputs checksum of those that were sent with the key; 0 where none were
   */
  check(worker: string, key: SoftTargetKey, inputs: number, reply: SoftTargets__Output): void {
    if (reply.errorCode !== "") {
      const code = isErrorCode(reply.errorCode) ? reply.errorCode : "internal";
      throw new LimbeckError(code, `${worker}: ${reply.error}`);
    }
    if (reply.term !== this.#term) {
      throw new LimbeckError("stale_term", `${worker} answered for term ${reply.term} in term ${this.#term}`);
    }
    const asked = {
      teacher: key.teacher || (this.#loaded ?? reply.teacher),
      dataset: key.dataset,
      view: key.view,
      examples: crc32(bytesOf(key.examples)),
      inputs,
    };
    const { teacher, dataset, view, examplesCrc32: examples, inputsChecksum } = reply;
    const given = { teacher, dataset, view, examples, inputs: inputsChecksum };
    for (const part of ["teacher", "dataset", "view", "examples", "inputs"] as const) {
      if (given[part] === asked[part]) continue;
      const message = `${worker} answered for ${part} ${given[part]}, asked for was ${asked[part]}`;
      throw new LimbeckError("wrong_key", message);
    }
    this.#loaded = reply.teacher;
    const checksum = crc32(reply.logits);
    if (checksum === reply.logitsCrc32) return;
    const found = `CRC-32 is ${checksum}, should be ${reply.logitsCrc32}`;
    throw new LimbeckError("corrupt", `soft targets from ${worker} arrived damaged: ${found}`);
  }
}
