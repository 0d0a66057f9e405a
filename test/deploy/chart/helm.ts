/** Helm, for what renders the chart. */
import type { TestContext } from "node:test";
import { findTool } from "../../kubernetestools.ts";

/** Skips the test where Helm is not to be had. */
export function withHelm(t: TestContext, use: (helm: string) => void): void {
  const helm = findTool("helm");
  if ("why" in helm) t.skip(helm.why);
  else use(helm.path);
}
