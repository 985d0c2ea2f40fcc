using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>A configuration that cannot work is refused at the start, in words that name the key.</summary>
public sealed class CommandConfigurationTests
{
    public static TheoryData<string, string, string[]> Bad =>
        new()
        {
            { "no program", "JobHost:Commands:bad:File", ["Description=x"] },
            { "a missing program", "JobHost:Commands:bad:File", ["File=/no/such/program"] },
            { "a file that is no program", "JobHost:Commands:bad:File", ["File=/etc/passwd"] },
            { "a name that PATH does not know", "JobHost:Commands:bad:File", ["File=no-such-program"] },
            { "a relative path", "JobHost:Commands:bad:File", ["File=bin/echo"] },
            { "an unknown key", "Argument", ["File=/bin/echo", "Argument=x"] },
            { "an open brace", "JobHost:Commands:bad:Arguments:0", ["File=/bin/echo", "Arguments:0={text"] },
            { "an unknown parameter", "JobHost:Commands:bad:Arguments:0", ["File=/bin/echo", "Arguments:0={text}"] },
            {
                "an unused parameter",
                "JobHost:Commands:bad:Parameters:x",
                ["File=/bin/echo", "Parameters:x:Type=string"]
            },
            { "an unknown type", "JobHost:Commands:bad:Parameters:x", Parameter("Type=text") },
            { "a pattern that is none", "JobHost:Commands:bad:Parameters:x", Parameter("Pattern=[") },
            {
                "a default that does not fit",
                "JobHost:Commands:bad:Parameters:x",
                Parameter("Type=integer", "Default=y")
            },
            { "required with a default", "JobHost:Commands:bad:Parameters:x", Parameter("Required=true", "Default=y") },
            {
                "a folder that is not there",
                "JobHost:Commands:bad:WorkingDirectory",
                ["File=/bin/echo", "WorkingDirectory=/no/such"]
            },
            {
                "a folder that is relative",
                "JobHost:Commands:bad:WorkingDirectory",
                ["File=/bin/echo", "WorkingDirectory=."]
            },
            { "no duration", "Timeout", ["File=/bin/echo", "Timeout=soon"] },
            { "a timeout of nothing", "Timeout", ["File=/bin/echo", "Timeout=00:00:00"] },
            { "a limit of nothing", "ConcurrencyLimit", ["File=/bin/echo", "ConcurrencyLimit=0"] },
            {
                "a rung of another kind",
                "Ladder",
                ["File=/bin/echo", "Ladder:0:Rung=Interrupt", "Ladder:0:Grace=00:00:01"]
            },
            { "no rung", "Rung", ["File=/bin/echo", "Ladder:0:Rung=Explode"] },
            { "an unknown limit", "Memory", ["File=/bin/echo", "Limits:Memory=100000000"] },
            { "too many attempts", "MaxAttempts", ["File=/bin/echo", "Retry:MaxAttempts=1000"] },
        };

    [Theory(Timeout = 90_000)]
    [MemberData(nameof(Bad))]
    public async Task A_bad_command_refuses_the_start(string what, string key, string[] settings)
    {
        var (exitCode, output) = await ServerProcess.RunAsync(
            arguments: [.. settings.Select(setting => $"--JobHost:Commands:bad:{setting}")]
        );

        Assert.True(exitCode == JobHostServer.ExitConfiguration, $"{what}: exit code {exitCode}: {output}");
        IsOneMessage(output, key);
    }

    [Theory(Timeout = 90_000)]
    [InlineData("program")]
    [InlineData("folder")]
    [InlineData("folder of a link")]
    public async Task A_program_that_everybody_can_exchange_refuses_the_start(string what)
    {
        Needs.Linux();
        const UnixFileMode Open = (UnixFileMode)0b111_111_111;
        const UnixFileMode Shut = (UnixFileMode)0b111_101_101;
        var folder = Directory.CreateDirectory(Path.Combine(Leaks.Folder, $"programs-{Guid.NewGuid():N}")).FullName;
        var program = Path.Combine(folder, "program");
        await File.WriteAllTextAsync(program, "#!/bin/sh\n", ApiClient.Token);
        File.SetUnixFileMode(program, what == "program" ? Open : Shut);
        File.SetUnixFileMode(folder, what == "program" ? Shut : Open);
        if (what == "folder of a link")
        {
            var link = Path.Combine(Leaks.Folder, $"link-{Guid.NewGuid():N}");
            File.CreateSymbolicLink(link, program);
            program = link;
        }

        var (exitCode, output) = await ServerProcess.RunAsync(arguments: [$"--JobHost:Commands:bad:File={program}"]);

        Assert.True(exitCode == JobHostServer.ExitConfiguration, $"{exitCode}: {output}");
        IsOneMessage(output, "JobHost:Commands:bad:File");
        Assert.Contains("everybody can", output, StringComparison.Ordinal);
    }

    [Theory(Timeout = 90_000)]
    [InlineData("obeys")]
    [InlineData("Not A Name")]
    public async Task A_command_needs_a_name_of_its_own(string name)
    {
        var (exitCode, output) = await ServerProcess.RunAsync(arguments: [$"--JobHost:Commands:{name}:File=/bin/echo"]);

        Assert.Equal(JobHostServer.ExitConfiguration, exitCode);
        IsOneMessage(output, name);
    }

    [Theory(Timeout = 90_000)]
    [InlineData("{ no json")]
    [InlineData("[]")]
    [InlineData(null)]
    public async Task A_configuration_file_that_cannot_be_read_refuses_the_start(string? content)
    {
        var file = Path.Combine(Leaks.Folder, $"{Guid.NewGuid():N}.json");
        if (content is not null)
        {
            await File.WriteAllTextAsync(file, content, ApiClient.Token);
        }

        var (exitCode, output) = await ServerProcess.RunAsync(arguments: [$"--JobHost:ConfigFile={file}"]);

        Assert.Equal(JobHostServer.ExitConfiguration, exitCode);
        IsOneMessage(output, "JobHost:ConfigFile");
    }

    // A person reads it: one line for the reason, and no stack trace.
    private static void IsOneMessage(string output, string key)
    {
        Assert.Contains("jobhost: ", output, StringComparison.Ordinal);
        Assert.Contains(key, output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled", output, StringComparison.Ordinal);
    }

    private static string[] Parameter(params string[] settings) =>
        ["File=/bin/echo", "Arguments:0={x}", .. settings.Select(setting => $"Parameters:x:{setting}")];
}
