// Original file: limbeck.proto


export interface Latency {
  'batch'?: (number);
  'medianSeconds'?: (number | string);
  'p95Seconds'?: (number | string);
}

export interface Latency__Output {
  'batch': (number);
  'medianSeconds': (number);
  'p95Seconds': (number);
}
