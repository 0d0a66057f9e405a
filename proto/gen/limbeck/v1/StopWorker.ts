// Original file: limbeck.proto


export interface StopWorker {
  'why'?: (string);
  'again'?: (boolean);
}

export interface StopWorker__Output {
  'why': (string);
  'again': (boolean);
}
