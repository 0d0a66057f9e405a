// Original file: limbeck.proto

import type { Long } from '@grpc/proto-loader';

export interface Consumed {
  'examplesPerEpoch'?: (number | string | Long);
  'epochs'?: (number | string | Long);
  'seen'?: (number | string | Long);
  'duplicated'?: (number | string | Long);
  'missing'?: (number | string | Long);
}

export interface Consumed__Output {
  'examplesPerEpoch': (number);
  'epochs': (number);
  'seen': (number);
  'duplicated': (number);
  'missing': (number);
}
