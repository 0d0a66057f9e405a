/** How a server of the job is reached, in the job schema: TLS, and headers whose values are read where they are needed. */
import { z } from "zod";

const pem = (what: string) => z.string().min(1).optional().describe(`PEM file, relative to the job file: ${what}`);

export const tls = z
  .strictObject({
    ca: pem("the authorities that may have signed the server's certificate; without it, those Node.js knows."),
    cert: pem("the certificate that this side shows, for a server that wants one; `key` goes with it."),
    key: pem("the key of `cert`, not encrypted."),
    serverName: z
      .string()
      .min(1)
      .optional()
      .describe("The name that the server's certificate must be for; without it, the host of `address`."),
  })
  .superRefine(({ cert, key }, { addIssue }) => {
    const [given, lacking] = cert === undefined ? ["key", "cert"] : ["cert", "key"];
    if ((cert === undefined) === (key === undefined)) return;
    addIssue({ code: "custom", path: [lacking], message: `needed beside ${given}: a certificate and its key are one` });
  });
export type TlsSpec = z.output<typeof tls>;

export const headers = z
  .array(
    z
      .strictObject({
        name: z
          .string()
          .regex(/^(?!grpc-)[a-z0-9_.-]+(?<!-bin)$/, "must be lower-case letters, digits, dashes, dots and underscores")
          .describe("Its name, in lower case, such as `authorization`."),
        file: z
          .string()
          .min(1)
          .optional()
          .describe("File that holds the value, relative to the job file; give this or `env`."),
        env: z
          .string()
          .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be the name of an environment variable")
          .optional()
          .describe("Environment variable of the workers that holds the value; give this or `file`."),
        prefix: z.string().optional().describe("Goes before the value, such as `Bearer ` with its space."),
      })
      .superRefine(({ file, env }, { addIssue }) => {
        if ((file === undefined) !== (env === undefined)) return;
        addIssue({ code: "custom", path: [], message: "give either file or env: where the value is" });
      }),
  )
  .min(1);
export type HeaderSpec = z.output<typeof headers>[number];
