/** Words that several parts say alike. */

/** `1 teacher`, `2 teachers` */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
