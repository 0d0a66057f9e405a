// Original file: limbeck.proto


export interface Corrupted {
  'from'?: (string);
  'kind'?: (string);
  'why'?: (string);
}

export interface Corrupted__Output {
  'from': (string);
  'kind': (string);
  'why': (string);
}
