// Original file: limbeck.proto


export interface Idle {
  'heartbeatMs'?: (number);
  'why'?: (string);
}

export interface Idle__Output {
  'heartbeatMs': (number);
  'why': (string);
}
