/** What is planted into a rendering, of which the checks must find each. */
import { packageVersion } from "../../../proto/package.ts";

/** Values of the rendering that has all of it. */
export const faulty = [
  ...["podMonitor", "scrapeConfig"].map((each) => `monitoring.${each}.enabled=true`),
  ...["teachers.autoscaling.kind=keda", "teachers.gpu.count=1"],
];

const scrapers = '{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"monitoring"}}}';

/** In its JSON: what is replaced where it is first, by what, and what is said of that. */
export const faults: readonly (readonly [string, string, RegExp])[] = [
  ['"enableServiceLinks"', '"enableServiceLink"', /enableServiceLink is not known/],
  ['"imagePullPolicy":"IfNotPresent"', '"imagePullPolicy":"Sometimes"', /must be one of Always/],
  ['"name":"worker","image"', '"image"', /name is missing/],
  ['"parallelism":2', '"parallelism":"2"', /must be number, found string/],
  ['"runAsUser":10001', '"runAsUser":0', /runs as root/],
  ['"readOnlyRootFilesystem":true', '"readOnlyRootFilesystem":false', /may write its root/],
  ['"automountServiceAccountToken":false,"enable', '"automountServiceAccountToken":true,"enable', /mounts a token/],
  ['{"medium":"Memory"', '{"medium":"Memory","x":1', /x is not known/],
  ['"cpu":"1"', '"gpu":"1"', /requests no cpu/],
  ['"name":"LIMBECK_GPU","value":"required"', '"name":"LIMBECK_GPU","value":""', /may do without/],
  [`limbeck:${packageVersion}-gpu"`, `limbeck:${packageVersion}"`, /has a GPU, and the image/],
  ['"nvidia.com/gpu":1', '"nvidia.com/gpu":2', /another number of nvidia.com\/gpu/],
  ['"grpc":{"port":7072}', '"grpc":{"port":7079}', /asks port 7079/],
  ['"containerPort":7081', '"containerPort":7099', /port 7099 is in no network policy/],
  ['"targetPort":"grpc"', '"targetPort":"rpc"', /has no port for grpc/],
  [
    '"ports":[{"port":7070,"protocol":"TCP"}]',
    '"ports":[{"port":7071,"protocol":"TCP"}]',
    /differ in whether 7070 is open/,
  ],
  ['"policyTypes":["Ingress","Egress"]}}', '"policyTypes":["Ingress"]}}', /Egress is not denied/],
  ['"--leave-code=143"', '"--leave-code=42"', /code 42 counts as a failure/],
  ['"--leave-code=143",', "", /counts as done/],
  ['"type":"DisruptionTarget"', '"type":"PodScheduled"', /preemption counts/],
  ['"terminationGracePeriodSeconds":20', '"terminationGracePeriodSeconds":10', /too short/],
  ['"--role=student"', '"--rolle=student"', /unknown option '--rolle=student'/],
  ['"--listen=0.0.0.0:7080"', '"--listen=7080"', /HOST:PORT is needed/],
  ['"worker","--role', '"werker","--role', /no command werker/],
  ['"LIMBECK_CLUSTER"', '"LIMBECK_CLUSTR"', /nothing reads LIMBECK_CLUSTR/],
  [
    '"secretName":"limbeck-worker-tls","defaultMode"',
    '"secretName":"other","defaultMode"',
    /Secret other is not there/,
  ],
  ['"minAvailable":1', '"minAvailable":2', /lets no pod of 2 go/],
  ['"scaleTargetRef":{"name":"limbeck-teachers"}', '"scaleTargetRef":{"name":"x"}', /scales x/],
  ['"podMetricsEndpoints":[{"port":"http"', '"podMetricsEndpoints":[{"port":"htp"', /finds no port/],

  ['"limbeck://limbeck/worker"', '"limbeck://other/worker"', /is of the cluster other, and it is of limbeck/],
  ['"limbeck://limbeck/submitter"', '"limbeck://limbeck/viewer"', /has the role viewer, and the role submitter is/],
  ['"usages":["digital signature","server auth","client auth"]', '"usages":["server auth"]', /is not for client auth/],
  ['"kind":"Issuer","name":"limbeck-ca"', '"kind":"Issuer","name":"limbeck-self"', /limbeck-self is no authority here/],

  ['"port":53,"protocol":"UDP"', '"port":54,"protocol":"UDP"', /no policy lets it ask the DNS by UDP/],
  ['"port":53,"protocol":"TCP"', '"port":54,"protocol":"TCP"', /no policy lets it ask the DNS by TCP/],
  [`,${scrapers}]`, "]", /no policy lets Prometheus scrape 7071/],
  ['"nats://limbeck-nats:4222"', '"nats://limbeck-nat:4222"', /is told limbeck-nat:4222, which is no Service/],
  ['"nats://limbeck-nats:4222"', '"nats://nats.other:4333"', /is told nats.other:4333, and no network policy lets/],
  ["--depot=nats://limbeck-nats:4222", "--depot=nats://limbeck-nats:4223", /is told limbeck-nats:4223, which is no/],
  ['"LIMBECK_NATS",', '"LIMBECK_NATS_CA",', /are several, and are not told where NATS is/],

  ["http://limbeck-coordinator.ml.svc:7071/", "http://limbeck.ml.svc:7071/", /which is no Service here/],
  ["http://limbeck-coordinator.ml.svc:7071/", "http://limbeck-coordinator.ml.svc:7072/", /which is no Service here/],
  ["http://limbeck-coordinator.ml.svc:7071/", "http://limbeck-coordinator.ml.svc:7070/", /a coordinator has no pages/],
  ["http://limbeck-coordinator.ml.svc:7071/", "http://limbeck-coordinator:7071/", /names no Service of this namespace/],
  [":7071/leader/targets", ":7071/targets", /\/leader\/targets lists the workers/],
  ['"path":"/metrics"', '"path":"/metric"', /scrapes \/metric: /],
  ['namespace=\\"ml\\"', 'namespace=\\"lm\\"', /asks for namespace="lm"/],
  ['limbeck_role=\\"teacher\\"', 'limbeck_role=\\"student\\"', /asks for limbeck_role="student"/],
  ["limbeck_teacher_queue_examples{", "limbeck_queue_examples{", /limbeck_queue_examples, which is no metric/],

  ['"port":"http","path":"/healthz"', '"port":"http","path":"/health"', /asks for \/health, which is not served/],
  ['"port":"http","path":"/healthz"', '"port":"grpc","path":"/healthz"', /asks 7080, where --http is not/],
  ['"port":"http","path":"/readyz"', '"port":"http","path":"/healthz"', /which says something else/],
  ['"grpc":{"port":7072}', '"grpc":{"port":7070}', /asks 7070, where --health is not/],
  ['"port":"monitor","path":"/healthz"', '"port":"monitor","path":"/varz"', /which is not of health/],

  ['"podReplacementPolicy":"Failed",', "", /another is started before the one it replaces has gone/],
  ['"terminationGracePeriodSeconds":60', '"terminationGracePeriodSeconds":1', /is killed after 1 s, with what/],
  ['"completionMode":"Indexed",', "", /failures are counted by index, and it is not Indexed/],

  ['{"name":"scratch","mountPath":"/tmp","subPath":"tmp"},', "", /worker writes \/tmp, where nothing/],
  ['"mountPath":"/var/cache/limbeck"', '"mountPath":"/cache"', /worker writes \/var\/cache\/limbeck, where nothing/],
  ['"mountPath":"/state"}', '"mountPath":"/state","readOnly":true}', /coordinator writes \/state, where nothing/],
  ['"name":"data","mountPath":"/data"', '"name":"data","mountPath":"/nats"', /nats writes \/data, where nothing/],
  ["--tls-ca=/tls/ca.crt", "--tls-ca=/tls/ca.pem", /reads \/tls\/ca.pem, which is not mounted/],
  ["/smoke/smoke.yaml", "/smoke/job.yaml", /reads \/smoke\/job.yaml, which is not mounted/],

  [',"automountServiceAccountToken":false}', "}", /ServiceAccount limbeck-coordinator mounts its token/],
  ['"true"},"annotations":{"helm.sh/hook":"test",', '"true"},"annotations":{', /with the release, and not by a test/],
  ['"helm.sh/hook-weight":"-1"', '"helm.sh/hook-weight":"1"', /is not there before Pod limbeck-smoke/],
  ['"before-hook-creation,hook-succeeded"', '"hook-succeeded"', /a second test finds its name taken/],
];

/** Which object is left out, and what is said of that. */
export const losses: readonly (readonly [string, RegExp])[] = [
  ["NetworkPolicy limbeck-dns", /no policy lets it ask the DNS/],
  ["NetworkPolicy limbeck-coordinator", /port 7070 is in no network policy/],
  ["PodDisruptionBudget limbeck-coordinator", /Deployment limbeck-coordinator: all of its pods may be drained at once/],
  ["PodDisruptionBudget limbeck-students", /Job limbeck-students-\w+: all of its pods may be drained at once/],
  ["Certificate limbeck-worker", /Secret limbeck-worker-tls is not there/],
  ["Certificate limbeck-ca", /limbeck-ca is no authority here/],
  ["Service limbeck-nats", /limbeck-nats:4222, which is no Service here/],
  ["ConfigMap limbeck-smoke", /ConfigMap limbeck-smoke is not there/],
];
