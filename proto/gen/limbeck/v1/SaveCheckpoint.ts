// Original file: limbeck.proto


export interface SaveCheckpoint {
  'why'?: (string);
}

export interface SaveCheckpoint__Output {
  'why': (string);
}
