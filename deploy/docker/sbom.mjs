/**
 * The bill of materials of an image, CycloneDX: npm packages that run, Node, TensorFlow's wheels, Debian's packages. The same
 * parts give the same bytes.
 *
 *   node deploy/docker/sbom.mjs [--wheels wheels.json] [--dpkg /var/lib/dpkg/status] [--to FILE]
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("../..", import.meta.url));
const text = { type: "string" };
const { values } = parseArgs({ options: { wheels: text, dpkg: text, to: text } });

const args = ["sbom", "--sbom-format=cyclonedx", "--sbom-type=application", "--omit=dev", "--package-lock-only"];
const bom = JSON.parse(execFileSync("npm", args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 26 }));
// These would make every list another one.
delete bom.serialNumber;
delete bom.metadata.timestamp;
delete bom.metadata.tools;
bom.metadata.component.name = "limbeck"; // npm says the folder's name.

const node = component("generic", "node", process.versions.node, { licenses: [{ license: { id: "MIT" } }] });
const wheels = values.wheels ? JSON.parse(readFileSync(values.wheels, "utf8")).map(wheel) : [];
const packages = values.dpkg ? debianPackages(readFileSync(values.dpkg, "utf8")) : [];
bom.components.push(node, ...wheels, ...packages);

const written = `${JSON.stringify(bom, null, 2)}\n`;
if (values.to) writeFileSync(values.to, written);
else process.stdout.write(written);

function component(type, name, version, more) {
  const purl = `pkg:${type}/${name}@${encodeURIComponent(version)}`;
  return { "bom-ref": purl, type: "library", name, version, purl, ...more };
}

/** name-version-python-abi-platform.whl */
function wheel({ file, sha256 }) {
  const [name, version] = file.split("-");
  const license = name.startsWith("nvidia")
    ? { name: "NVIDIA Software License Agreement" }
    : name.startsWith("tensorflow") && { id: "Apache-2.0" };
  const licenses = license ? [{ license }] : [];
  const normal = name.toLowerCase().replaceAll("_", "-");
  return component("pypi", normal, version, { hashes: [{ alg: "SHA-256", content: sha256 }], licenses });
}

/** Their licences are in the image: /usr/share/doc/PACKAGE/copyright. */
function debianPackages(status) {
  const field = (paragraph, name) => new RegExp(`^${name}: (.*)$`, "m").exec(paragraph)?.[1] ?? "";
  return status
    .split("\n\n")
    .filter((paragraph) => field(paragraph, "Status") === "install ok installed")
    .map((paragraph) => component("deb/debian", field(paragraph, "Package"), field(paragraph, "Version"), {}));
}
