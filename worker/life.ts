/** What keeps a worker alive, over all its processes: who starts it again and again says so in the environment. */
import { hostname } from "node:os";

export const lifeVariable = "LIMBECK_LIFE";

export function lifeOf(): string {
  return process.env[lifeVariable] ?? `${hostname()}/${process.pid}`;
}
