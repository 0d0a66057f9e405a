// Original file: limbeck.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { PullHeader as _limbeck_v1_PullHeader, PullHeader__Output as _limbeck_v1_PullHeader__Output } from '../../limbeck/v1/PullHeader.ts';
import type { PullRequest as _limbeck_v1_PullRequest, PullRequest__Output as _limbeck_v1_PullRequest__Output } from '../../limbeck/v1/PullRequest.ts';

export interface PeerClient extends grpc.Client {
  Pull(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_limbeck_v1_PullRequest, _limbeck_v1_PullHeader__Output>;
  Pull(options?: grpc.CallOptions): grpc.ClientDuplexStream<_limbeck_v1_PullRequest, _limbeck_v1_PullHeader__Output>;
  pull(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_limbeck_v1_PullRequest, _limbeck_v1_PullHeader__Output>;
  pull(options?: grpc.CallOptions): grpc.ClientDuplexStream<_limbeck_v1_PullRequest, _limbeck_v1_PullHeader__Output>;
  
}

export interface PeerHandlers extends grpc.UntypedServiceImplementation {
  Pull: grpc.handleBidiStreamingCall<_limbeck_v1_PullRequest__Output, _limbeck_v1_PullHeader>;
  
}

export interface PeerDefinition extends grpc.ServiceDefinition {
  Pull: MethodDefinition<_limbeck_v1_PullRequest, _limbeck_v1_PullHeader, _limbeck_v1_PullRequest__Output, _limbeck_v1_PullHeader__Output>
}
