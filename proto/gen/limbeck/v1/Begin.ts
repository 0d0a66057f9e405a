// Original file: limbeck.proto

import type { Long } from '@grpc/proto-loader';

export interface Begin {
  'step'?: (number | string | Long);
  'sources'?: (string)[];
  'sumSources'?: (string)[];
  'evaluate'?: (boolean);
  'teacherEngine'?: (string);
  'uncacheable'?: (string);
}

export interface Begin__Output {
  'step': (number);
  'sources': (string)[];
  'sumSources': (string)[];
  'evaluate': (boolean);
  'teacherEngine': (string);
  'uncacheable': (string);
}
