-- Sends back every message; all have one length.
core.register_service("echo", "tcp", function(applet)
    while true do
        local message = applet:receive(@BYTES@)
        if message == nil or #message == 0 then
            return
        end
        applet:send(message)
    end
end)
