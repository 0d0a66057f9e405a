// Original file: limbeck.proto


export interface Begin {
}

export interface Begin__Output {
}
