// Original file: limbeck.proto


export interface Welcome {
  'job'?: (string);
  'jobFolder'?: (string);
  'runFolder'?: (string);
  'heartbeatMs'?: (number);
}

export interface Welcome__Output {
  'job': (string);
  'jobFolder': (string);
  'runFolder': (string);
  'heartbeatMs': (number);
}
