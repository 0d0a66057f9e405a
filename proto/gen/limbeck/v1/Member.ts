// Original file: limbeck.proto


export interface Member {
  'worker'?: (string);
  'address'?: (string);
  'host'?: (string);
  'firstLane'?: (number);
  'lanes'?: (number);
  'part'?: (number);
}

export interface Member__Output {
  'worker': (string);
  'address': (string);
  'host': (string);
  'firstLane': (number);
  'lanes': (number);
  'part': (number);
}
