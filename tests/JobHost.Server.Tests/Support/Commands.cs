namespace JobHost.Server.Tests.Support;

/// <summary>Settings of commands, as an operator would write them.</summary>
internal static class Commands
{
    /// <summary>A command that runs one at a time: <c>sleep {seconds}</c>.</summary>
    internal static Dictionary<string, string> OneAtATime(string name, int queueLimit = 100) =>
        new()
        {
            [$"JobHost:Commands:{name}:File"] = "/bin/sleep",
            [$"JobHost:Commands:{name}:Arguments:0"] = "{seconds}",
            [$"JobHost:Commands:{name}:Parameters:seconds:Type"] = "number",
            [$"JobHost:Commands:{name}:Parameters:seconds:Default"] = "0",
            [$"JobHost:Commands:{name}:ConcurrencyLimit"] = "1",
            [$"JobHost:Commands:{name}:QueueLimit"] = $"{queueLimit}",
        };

    /// <summary>A command that is a script; its one parameter is <c>$1</c>.</summary>
    internal static Dictionary<string, string> Script(string name, string script, string? outputLimit = null)
    {
        var settings = new Dictionary<string, string>
        {
            [$"JobHost:Commands:{name}:File"] = "/bin/sh",
            [$"JobHost:Commands:{name}:Arguments:0"] = "-c",
            [$"JobHost:Commands:{name}:Arguments:1"] = script.Replace("{", "{{").Replace("}", "}}"),
            [$"JobHost:Commands:{name}:Arguments:2"] = "sh",
            [$"JobHost:Commands:{name}:Arguments:3"] = "{argument}",
            [$"JobHost:Commands:{name}:Parameters:argument:Default"] = "",
        };
        if (outputLimit is not null)
        {
            settings[$"JobHost:Commands:{name}:OutputLimit"] = outputLimit;
        }
        return settings;
    }
}
