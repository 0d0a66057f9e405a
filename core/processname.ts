/** What a worker, or a coordinator of a service, may be called: it stands in lines, tables, labels and file names. */

export const neededName = "letters, digits and . _ : @ / + - are needed, a letter or digit first, at most 128";

export function isProcessName(text: string): boolean {
  return /^[\p{L}\p{N}][\p{L}\p{N}._:@/+-]{0,127}$/u.test(text);
}
