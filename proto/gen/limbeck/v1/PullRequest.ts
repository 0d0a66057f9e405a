// Original file: limbeck.proto

import type { Long } from '@grpc/proto-loader';

export interface PullRequest {
  'term'?: (number | string | Long);
  'kind'?: (string);
  'step'?: (number | string | Long);
  'slice'?: (number);
  'host'?: (string);
  'deadlineMs'?: (number);
}

export interface PullRequest__Output {
  'term': (number);
  'kind': (string);
  'step': (number);
  'slice': (number);
  'host': (string);
  'deadlineMs': (number);
}
