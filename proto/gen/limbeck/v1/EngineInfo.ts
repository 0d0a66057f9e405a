// Original file: limbeck.proto


export interface EngineInfo {
  'backend'?: (string);
  'tensorflowVersion'?: (string);
  'device'?: (string);
  'gpu'?: (boolean);
  'threads'?: (number);
  'why'?: (string);
  'fingerprint'?: (string);
}

export interface EngineInfo__Output {
  'backend': (string);
  'tensorflowVersion': (string);
  'device': (string);
  'gpu': (boolean);
  'threads': (number);
  'why': (string);
  'fingerprint': (string);
}
