/** The checked-in rules and dashboards, and which metrics they speak of. */
import { readdirSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import { packagePath } from "../../proto/package.ts";

export interface Rule {
  readonly expr: string;
  readonly record?: string;
  readonly alert?: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export const rulesFolder = packagePath("deploy/prometheus");

export function rulesOf(file: "rules.yml" | "alerts.yml"): Rule[] {
  const { groups } = parse(readFileSync(`${rulesFolder}/${file}`, "utf8")) as { groups: { rules: Rule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description: string;
  readonly datasource: { readonly uid: string };
  readonly fieldConfig: { readonly defaults: { readonly unit?: string } };
  readonly targets: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
}

export interface Dashboard {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: string }[] };
}

export function checkedInDashboards(): Map<string, string> {
  const folder = packagePath("deploy/grafana/dashboards");
  return new Map(readdirSync(folder).map((name) => [name, readFileSync(`${folder}/${name}`, "utf8")]));
}

/** All panels with queries. */
export function panelsOf(text: string): readonly Panel[] {
  return (JSON.parse(text) as Dashboard).panels.filter(({ type }) => type !== "row");
}

/** Names of the metrics in an expression: of what is no label. */
export function metricsIn(expr: string): string[] {
  const bare = expr
    .replace(/__name__=~"([^"]*)"/g, "$1")
    .replace(/\w+ ?(=|!=|=~|!~) ?"[^"]*"/g, "")
    .replace(/\b(by|on|ignoring|group_left|group_right) ?\([^)]*\)/g, "");
  const names = bare.matchAll(/\b(?:(?:limbeck|grpc|process|nodejs)_[a-z_:0-9]+|up|ALERTS)\b/g);
  return [...new Set([...names].map(([name]) => name))];
}
