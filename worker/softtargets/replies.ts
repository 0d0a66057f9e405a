/** Requests understood and replies made, with what each carries to be checked by, and the count of it all. */
import { crc32 } from "node:zlib";
import { LimbeckError } from "../../core/errors.ts";
import type { SoftTargetKey__Output } from "../../proto/gen/limbeck/v1/SoftTargetKey.ts";
import type { SoftTargetRequest__Output } from "../../proto/gen/limbeck/v1/SoftTargetRequest.ts";
import type { SoftTargets } from "../../proto/gen/limbeck/v1/SoftTargets.ts";
import { idsOf } from "../ids.ts";
import { checksum } from "../kernels/checksum.ts";
import { decodeLogits, encodeLogits, formatName, type LogitsFormat, parseFormat } from "./format.ts";
import { PayloadSampling } from "./payloaderror.ts";

/** A request that is well-formed. */
export interface Asked {
  readonly term: number;
  readonly request: number;
  readonly key: SoftTargetKey__Output;
  readonly format: LogitsFormat;
  readonly examples: Uint32Array;
  readonly view: number;
  /** [examples × features], float32 little-endian; empty where the teacher reads the dataset. */
  readonly inputs: Uint8Array;
  readonly inputsChecksum: number;
}

export function understood(asked: SoftTargetRequest__Output): Asked | LimbeckError {
  const { term, request, key, format: name, inputs, inputsChecksum } = asked;
  const format = parseFormat(name);
  if (!key || !format || key.examples.byteLength % 4 !== 0) {
    return new LimbeckError("internal", `a request for soft targets as "${name}" that is not well-formed`);
  }
  const found = inputs.byteLength === 0 ? 0 : checksum(inputs, 0);
  if (found !== inputsChecksum) {
    const message = `the inputs of ${key.examples.byteLength / 4} examples arrived damaged: their checksum is ${found}, should be ${inputsChecksum}`;
    return new LimbeckError("corrupt", message);
  }
  return { term, request, key, format, examples: idsOf(key.examples), view: key.view, inputs, inputsChecksum };
}

export class Replies {
  examples = 0;
  bytes = 0;
  refused = 0;
  readonly #sampling = new PayloadSampling();

  refusal({ term, request }: { term: number; request: number }, { code, message }: LimbeckError): SoftTargets {
    this.refused += 1;
    return { term, request, errorCode: code, error: message };
  }

  /** @param logits [examples, classes] */
  answer(
    { term, request, key, format: asked, examples, view, inputsChecksum }: Asked,
    logits: Float32Array,
    { teacher, dataset, classes, temperature }: Provenance,
  ): SoftTargets {
    const { format, bytes } = encodeLogits(logits, classes, asked);
    this.examples += examples.length;
    this.bytes += bytes.byteLength;
    const decoded = () => decodeLogits(bytes, format, { examples: examples.length, classes });
    const error = this.#sampling.measure(logits, format, { decoded, classes, temperature });
    return {
      ...{ term, request, teacher, dataset, view },
      ...{ examplesCrc32: crc32(key.examples), format: formatName(format), logits: bytes, logitsCrc32: crc32(bytes) },
      inputsChecksum,
      ...(error && { payloadError: error }),
    };
  }
}

interface Provenance {
  readonly teacher: string;
  readonly dataset: string;
  readonly classes: number;
  readonly temperature: number;
}
