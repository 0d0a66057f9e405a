/** Where folders of a container lie on this machine. */

/** By the path in the container, that of this machine. */
export type Mounts = readonly (readonly [at: string, folder: string])[];

/** A path, or an option with one, of what is mounted; all else stays as it is. */
export function placed(text: string, mounts: Mounts): string {
  const [, path] = /^(?:--[\w-]+=)?(\/.*)$/.exec(text) ?? [];
  const mounted = mounts.find(([at]) => path === at || path?.startsWith(`${at}/`));
  return mounted ? text.replace(mounted[0], mounted[1]) : text;
}
