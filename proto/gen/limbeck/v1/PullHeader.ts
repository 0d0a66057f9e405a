// Original file: limbeck.proto

import type { TreeNode as _limbeck_v1_TreeNode, TreeNode__Output as _limbeck_v1_TreeNode__Output } from '../../limbeck/v1/TreeNode.ts';
import type { Long } from '@grpc/proto-loader';

export interface PullHeader {
  'term'?: (number | string | Long);
  'kind'?: (string);
  'step'?: (number | string | Long);
  'bytes'?: (number | string | Long);
  'checksum'?: (number);
  'nodes'?: (_limbeck_v1_TreeNode)[];
  'examples'?: (Buffer | Uint8Array | string);
  'shmPath'?: (string);
  'shmOffset'?: (number | string | Long);
  'sha256'?: (string);
  'errorCode'?: (string);
  'error'?: (string);
  'replica'?: (string);
}

export interface PullHeader__Output {
  'term': (number);
  'kind': (string);
  'step': (number);
  'bytes': (number);
  'checksum': (number);
  'nodes': (_limbeck_v1_TreeNode__Output)[];
  'examples': (Buffer);
  'shmPath': (string);
  'shmOffset': (number);
  'sha256': (string);
  'errorCode': (string);
  'error': (string);
  'replica': (string);
}
