// Original file: limbeck.proto


export interface Welcome {
  'job'?: (string);
  'jobFolder'?: (string);
  'runFolder'?: (string);
  'heartbeatMs'?: (number);
  'role'?: (string);
  'rejoined'?: (boolean);
}

export interface Welcome__Output {
  'job': (string);
  'jobFolder': (string);
  'runFolder': (string);
  'heartbeatMs': (number);
  'role': (string);
  'rejoined': (boolean);
}
