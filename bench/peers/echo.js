// Data from the client goes back to it, instead of to the server behind.
function answer(session) {
    session.on('upload', function (data, flags) {
        session.sendDownstream(data, flags);
    });
}

// Never done, so its session is never answered.
function wait(session) {
    session.on('upload', function () {});
}

export default { answer, wait };
