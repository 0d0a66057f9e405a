// Original file: limbeck.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { SoftTargetRequest as _limbeck_v1_SoftTargetRequest, SoftTargetRequest__Output as _limbeck_v1_SoftTargetRequest__Output } from '../../limbeck/v1/SoftTargetRequest.ts';
import type { SoftTargets as _limbeck_v1_SoftTargets, SoftTargets__Output as _limbeck_v1_SoftTargets__Output } from '../../limbeck/v1/SoftTargets.ts';

export interface TeacherClient extends grpc.Client {
  SoftTargets(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_limbeck_v1_SoftTargetRequest, _limbeck_v1_SoftTargets__Output>;
  SoftTargets(options?: grpc.CallOptions): grpc.ClientDuplexStream<_limbeck_v1_SoftTargetRequest, _limbeck_v1_SoftTargets__Output>;
  softTargets(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_limbeck_v1_SoftTargetRequest, _limbeck_v1_SoftTargets__Output>;
  softTargets(options?: grpc.CallOptions): grpc.ClientDuplexStream<_limbeck_v1_SoftTargetRequest, _limbeck_v1_SoftTargets__Output>;
  
}

export interface TeacherHandlers extends grpc.UntypedServiceImplementation {
  SoftTargets: grpc.handleBidiStreamingCall<_limbeck_v1_SoftTargetRequest__Output, _limbeck_v1_SoftTargets>;
  
}

export interface TeacherDefinition extends grpc.ServiceDefinition {
  SoftTargets: MethodDefinition<_limbeck_v1_SoftTargetRequest, _limbeck_v1_SoftTargets, _limbeck_v1_SoftTargetRequest__Output, _limbeck_v1_SoftTargets__Output>
}
