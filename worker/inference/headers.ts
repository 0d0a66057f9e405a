/** Headers of a request whose values are secrets: read for every request, from a file or the environment, and never shown. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { Metadata } from "@grpc/grpc-js";
import { LimbeckError } from "../../core/errors.ts";
import type { HeaderSpec } from "../../core/jobserver.ts";
import { reasonOf } from "../learn/reason.ts";

export class Headers {
  readonly #specs: readonly HeaderSpec[];
  readonly #folder: string;
  readonly #field: string;
  readonly #values = new Set<string>();

  /** @param folder what relative paths start from @param field of the job, for messages */
  constructor(specs: readonly HeaderSpec[], folder: string, field: string) {
    this.#specs = specs;
    this.#folder = folder;
    this.#field = field;
  }

  /** As they are now: a token may be changed while a job runs. @throws `bad_model` with the field, and without the value */
  async read(): Promise<Metadata> {
    const metadata = new Metadata();
    for (const [at, spec] of this.#specs.entries()) {
      const [source, value] = await this.#value(spec, at);
      // grpc-js would refuse it with the value in its message.
      if (!/^[ -~]+$/.test(value)) {
        const found = value === "" ? "is empty" : "holds what a header cannot: printable ASCII is needed, in one line";
        throw new LimbeckError("bad_model", `${source} ${found}`);
      }
      this.#values.add(value);
      metadata.set(spec.name, `${spec.prefix ?? ""}${value}`);
    }
    return metadata;
  }

  /** A server may say what it was told. */
  redacted(text: string): string {
    return [...this.#values].reduce((shown, value) => shown.replaceAll(value, "***"), text);
  }

  /** Where it is from, for messages, and what it is. */
  async #value(spec: HeaderSpec, at: number): Promise<[string, string]> {
    const field = `${this.#field}.${at}`;
    if (spec.env !== undefined) {
      const value = process.env[spec.env];
      if (value !== undefined) return [`${field}.env: ${spec.env}`, value.trim()];
      throw new LimbeckError("bad_model", `${field}.env: ${spec.env} is not set where this worker runs`);
    }
    const path = resolve(this.#folder, spec.file!);
    try {
      return [`${field}.file: ${path}`, (await readFile(path, "utf8")).trim()];
    } catch (cause) {
      throw new LimbeckError("bad_model", `${field}.file: cannot be read: ${reasonOf(cause)}`, { cause });
    }
  }
}
