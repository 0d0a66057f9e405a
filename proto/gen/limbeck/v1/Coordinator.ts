// Original file: limbeck.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { FromWorker as _limbeck_v1_FromWorker, FromWorker__Output as _limbeck_v1_FromWorker__Output } from '../../limbeck/v1/FromWorker.ts';
import type { StatusReply as _limbeck_v1_StatusReply, StatusReply__Output as _limbeck_v1_StatusReply__Output } from '../../limbeck/v1/StatusReply.ts';
import type { StatusRequest as _limbeck_v1_StatusRequest, StatusRequest__Output as _limbeck_v1_StatusRequest__Output } from '../../limbeck/v1/StatusRequest.ts';
import type { StopReply as _limbeck_v1_StopReply, StopReply__Output as _limbeck_v1_StopReply__Output } from '../../limbeck/v1/StopReply.ts';
import type { StopRequest as _limbeck_v1_StopRequest, StopRequest__Output as _limbeck_v1_StopRequest__Output } from '../../limbeck/v1/StopRequest.ts';
import type { ToWorker as _limbeck_v1_ToWorker, ToWorker__Output as _limbeck_v1_ToWorker__Output } from '../../limbeck/v1/ToWorker.ts';
import type { WatchEvent as _limbeck_v1_WatchEvent, WatchEvent__Output as _limbeck_v1_WatchEvent__Output } from '../../limbeck/v1/WatchEvent.ts';
import type { WatchRequest as _limbeck_v1_WatchRequest, WatchRequest__Output as _limbeck_v1_WatchRequest__Output } from '../../limbeck/v1/WatchRequest.ts';

export interface CoordinatorClient extends grpc.Client {
  Join(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_limbeck_v1_FromWorker, _limbeck_v1_ToWorker__Output>;
  Join(options?: grpc.CallOptions): grpc.ClientDuplexStream<_limbeck_v1_FromWorker, _limbeck_v1_ToWorker__Output>;
  join(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_limbeck_v1_FromWorker, _limbeck_v1_ToWorker__Output>;
  join(options?: grpc.CallOptions): grpc.ClientDuplexStream<_limbeck_v1_FromWorker, _limbeck_v1_ToWorker__Output>;
  
  Status(argument: _limbeck_v1_StatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_limbeck_v1_StatusReply__Output>): grpc.ClientUnaryCall;
  Status(argument: _limbeck_v1_StatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_limbeck_v1_StatusReply__Output>): grpc.ClientUnaryCall;
  Status(argument: _limbeck_v1_StatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_limbeck_v1_StatusReply__Output>): grpc.ClientUnaryCall;
  Status(argument: _limbeck_v1_StatusRequest, callback: grpc.requestCallback<_limbeck_v1_StatusReply__Output>): grpc.ClientUnaryCall;
  status(argument: _limbeck_v1_StatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_limbeck_v1_StatusReply__Output>): grpc.ClientUnaryCall;
  status(argument: _limbeck_v1_StatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_limbeck_v1_StatusReply__Output>): grpc.ClientUnaryCall;
  status(argument: _limbeck_v1_StatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_limbeck_v1_StatusReply__Output>): grpc.ClientUnaryCall;
  status(argument: _limbeck_v1_StatusRequest, callback: grpc.requestCallback<_limbeck_v1_StatusReply__Output>): grpc.ClientUnaryCall;
  
  Stop(argument: _limbeck_v1_StopRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_limbeck_v1_StopReply__Output>): grpc.ClientUnaryCall;
  Stop(argument: _limbeck_v1_StopRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_limbeck_v1_StopReply__Output>): grpc.ClientUnaryCall;
  Stop(argument: _limbeck_v1_StopRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_limbeck_v1_StopReply__Output>): grpc.ClientUnaryCall;
  Stop(argument: _limbeck_v1_StopRequest, callback: grpc.requestCallback<_limbeck_v1_StopReply__Output>): grpc.ClientUnaryCall;
  stop(argument: _limbeck_v1_StopRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_limbeck_v1_StopReply__Output>): grpc.ClientUnaryCall;
  stop(argument: _limbeck_v1_StopRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_limbeck_v1_StopReply__Output>): grpc.ClientUnaryCall;
  stop(argument: _limbeck_v1_StopRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_limbeck_v1_StopReply__Output>): grpc.ClientUnaryCall;
  stop(argument: _limbeck_v1_StopRequest, callback: grpc.requestCallback<_limbeck_v1_StopReply__Output>): grpc.ClientUnaryCall;
  
  Watch(argument: _limbeck_v1_WatchRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_limbeck_v1_WatchEvent__Output>;
  Watch(argument: _limbeck_v1_WatchRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_limbeck_v1_WatchEvent__Output>;
  watch(argument: _limbeck_v1_WatchRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_limbeck_v1_WatchEvent__Output>;
  watch(argument: _limbeck_v1_WatchRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_limbeck_v1_WatchEvent__Output>;
  
}

export interface CoordinatorHandlers extends grpc.UntypedServiceImplementation {
  Join: grpc.handleBidiStreamingCall<_limbeck_v1_FromWorker__Output, _limbeck_v1_ToWorker>;
  
  Status: grpc.handleUnaryCall<_limbeck_v1_StatusRequest__Output, _limbeck_v1_StatusReply>;
  
  Stop: grpc.handleUnaryCall<_limbeck_v1_StopRequest__Output, _limbeck_v1_StopReply>;
  
  Watch: grpc.handleServerStreamingCall<_limbeck_v1_WatchRequest__Output, _limbeck_v1_WatchEvent>;
  
}

export interface CoordinatorDefinition extends grpc.ServiceDefinition {
  Join: MethodDefinition<_limbeck_v1_FromWorker, _limbeck_v1_ToWorker, _limbeck_v1_FromWorker__Output, _limbeck_v1_ToWorker__Output>
  Status: MethodDefinition<_limbeck_v1_StatusRequest, _limbeck_v1_StatusReply, _limbeck_v1_StatusRequest__Output, _limbeck_v1_StatusReply__Output>
  Stop: MethodDefinition<_limbeck_v1_StopRequest, _limbeck_v1_StopReply, _limbeck_v1_StopRequest__Output, _limbeck_v1_StopReply__Output>
  Watch: MethodDefinition<_limbeck_v1_WatchRequest, _limbeck_v1_WatchEvent, _limbeck_v1_WatchRequest__Output, _limbeck_v1_WatchEvent__Output>
}
