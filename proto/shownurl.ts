/** A URL, or a list of them, as it may be said: without what may be a user, a token or a password. */
export function shownUrl(url: string): string {
  return url.replace(/^([a-z0-9+.-]+:\/\/)?.*@/is, "$1…@").slice(0, 200);
}
