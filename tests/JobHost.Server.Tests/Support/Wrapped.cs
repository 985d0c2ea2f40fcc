namespace JobHost.Server.Tests.Support;

/// <summary>Scripts that stand before the test host's program and change what it is born into.</summary>
internal static class Wrapped
{
    /// <summary>The test host, started by a shell script that ends in <c>exec</c> of something before it.</summary>
    /// <param name="setUp">Lines before, or null.</param>
    /// <param name="before">What is executed with the test host as its last arguments.</param>
    internal static async Task<string> TestHostAsync(string? setUp = null, string before = "")
    {
        var program = Path.Combine(Leaks.Folder, $"wrapped-{Guid.NewGuid():N}");
        await File.WriteAllTextAsync(
            program,
            $"#!/bin/sh\n{setUp}\nexec {before} '{ServerProcess.TestHost}' \"$@\"\n",
            ApiClient.Token
        );
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(
                program,
                UnixFileMode.UserRead
                    | UnixFileMode.UserWrite
                    | UnixFileMode.UserExecute
                    | UnixFileMode.OtherRead
                    | UnixFileMode.OtherExecute
            );
        }
        return program;
    }

    /// <summary>Runs a program of the system to its end, and returns what it printed.</summary>
    internal static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo(Needs.Program(program), arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        var output = process.StandardOutput.ReadToEndAsync(ApiClient.Token);
        var errors = await process.StandardError.ReadToEndAsync(ApiClient.Token);
        await process.WaitForExitAsync(ApiClient.Token);
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {errors}");
        return (await output).Trim();
    }

    /// <summary>Sends a signal by name.</summary>
    internal static Task SignalAsync(string signal, params IEnumerable<int> pids) =>
        RunAsync("kill", [$"-{signal}", .. pids.Select(pid => $"{pid}")]);
}
