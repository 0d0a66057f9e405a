// Original file: limbeck.proto

import type { Long } from '@grpc/proto-loader';

export interface Ready {
  'parameters'?: (number | string | Long);
  'weightsSha256'?: (string);
  'step'?: (number | string | Long);
}

export interface Ready__Output {
  'parameters': (number);
  'weightsSha256': (string);
  'step': (number);
}
