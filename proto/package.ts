/** Where this package lies on disk, from the sources and from dist/ alike. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

function findPackageRoot(): URL {
  let folder = new URL("./", import.meta.url);
  while (!existsSync(fileURLToPath(new URL("package.json", folder)))) folder = new URL("../", folder);
  return folder;
}

/** The folder that holds package.json, as a file URL that ends in a slash. */
export const packageRoot: URL = findPackageRoot();

/** A path inside the package, absolute. */
export function packagePath(relative: string): string {
  return fileURLToPath(new URL(relative, packageRoot));
}

/** The version in package.json. */
export const packageVersion: string = JSON.parse(readFileSync(packagePath("package.json"), "utf8")).version;
