/** A cluster without cert-manager is told of before anything is installed, also into a namespace that is yet to be made. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { withHelm } from "./chart/helm.ts";
import { render } from "./chart/render.ts";

/** Every API server has it, and `helm template` without one does not. */
const server = "apiregistration.k8s.io/v1";

test("certificates of cert-manager are asked for only where it is, or where nobody knows", (t) =>
  withHelm(t, (helm) => {
    assert.throws(() => render(helm, { apiVersions: [server] }), /this cluster has no cert-manager: install it, or/);
    const certificates = (...apiVersions: string[]) =>
      render(helm, { apiVersions }).filter(({ kind }) => kind === "Certificate").length;
    assert.ok(certificates() > 0);
    assert.equal(certificates(server, "cert-manager.io/v1"), certificates());
    assert.ok(render(helm, { apiVersions: [server], set: ["tls.mode=none"] }).length > 0);
  }));
