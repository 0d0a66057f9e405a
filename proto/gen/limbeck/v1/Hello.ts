// Original file: limbeck.proto


export interface Hello {
  'worker'?: (string);
  'role'?: (string);
  'address'?: (string);
  'host'?: (string);
  'build'?: (string);
  'pid'?: (number);
  'instance'?: (string);
  'holds'?: (string)[];
  'http'?: (string);
  'job'?: (string);
  'life'?: (string);
}

export interface Hello__Output {
  'worker': (string);
  'role': (string);
  'address': (string);
  'host': (string);
  'build': (string);
  'pid': (number);
  'instance': (string);
  'holds': (string)[];
  'http': (string);
  'job': (string);
  'life': (string);
}
