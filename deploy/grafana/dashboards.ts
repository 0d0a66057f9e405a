/** All dashboards, as the files that Grafana is given. */
import { coordinator } from "./coordinator.ts";
import { dashboard } from "./page.ts";
import { teachers } from "./teachers.ts";
import { training } from "./training.ts";
import { workers } from "./workers.ts";

/** Name of each file and its JSON text. */
export function dashboards(): ReadonlyMap<string, string> {
  return new Map([training, teachers, workers, coordinator].map((page) => [`${page.name}.json`, dashboard(page)]));
}
