// Original file: limbeck.proto


export interface StopWorker {
  'why'?: (string);
}

export interface StopWorker__Output {
  'why': (string);
}
