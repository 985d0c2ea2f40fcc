using System.Text.Json;

namespace JobHost.Server.Tests.Support;

/// <summary>A server as an operator sets it up: commands in a file, secrets in its environment.</summary>
public sealed class CommandServer : IAsyncLifetime
{
    public const string Secret = "Hunter2-must-not-leak";

    private ServerProcess? server;

    public ApiClient Api => server!.Api;

    /// <summary>A folder that a command is configured to work in.</summary>
    public string Folder { get; } = Path.Combine(Leaks.Folder, $"work {Guid.NewGuid():N}");

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(Folder);
        var file = Path.Combine(Folder, "jobhost.json");
        await File.WriteAllTextAsync(
            file,
            JsonSerializer.Serialize(new { JobHost = new { Commands = Configured() } }),
            ApiClient.Token
        );
        var environment = new Dictionary<string, string>
        {
            ["JobHost__ConfigFile"] = file,
            ["JobHost__Security__Secret"] = Secret,
            ["ConnectionStrings__JobHost"] = $"Password={Secret}",
            ["AWS_SECRET_ACCESS_KEY"] = Secret,
            ["LD_LIBRARY_PATH_OF_MINE"] = Secret,
            ["DOTNET_STARTUP_SECRET"] = Secret,
            ["JOBHOST_TOKEN"] = Secret,
            ["LC_ALL"] = "C.UTF-8",
        };
        server = await ServerProcess.StartAsync(environment);
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null)
        {
            await server.DisposeAsync();
        }
    }

    private Dictionary<string, object> Configured() =>
        new()
        {
            ["print"] = new
            {
                File = "printf",
                Arguments = new[] { "[%s]", "{text}" },
                Parameters = new { text = new { Required = true } },
            },
            ["options"] = new
            {
                File = "/usr/bin/printf",
                Arguments = new[] { "[%s]", "{first}", "--second={second}", "{{{third}}}", "{first}{second}" },
                Parameters = new
                {
                    first = new { Default = "1" },
                    second = new { Description = "Left out where it is not given." },
                    third = new { },
                },
            },
            ["types"] = new
            {
                File = "/usr/bin/printf",
                Arguments = new[] { "[%s]", "{integer}", "{number}", "{boolean}", "{word}", "{dashed}" },
                Parameters = new
                {
                    integer = new { Type = "integer", Default = "-5" },
                    number = new { Type = "number", Default = "0.5" },
                    boolean = new { Type = "boolean", Default = "true" },
                    word = new { Pattern = "[a-z]+|[0-9]+" },
                    dashed = new { AllowLeadingDash = true },
                },
            },
            ["exits"] = new
            {
                File = "/bin/sh",
                Arguments = new[] { "-c", "exit $1", "sh", "{code}" },
                Parameters = new { code = new { Type = "integer", Required = true } },
            },
            ["dies"] = new
            {
                File = "/bin/sh",
                Arguments = new[] { "-c", "kill -$1 $$; sleep 60", "sh", "{signal}" },
                Parameters = new { signal = new { Required = true } },
            },
            ["streams"] = new { File = "/bin/sh", Arguments = new[] { "-c", "echo to-stdout; echo to-stderr >&2" } },
            ["environment"] = new
            {
                File = "/usr/bin/env",
                Environment = new Dictionary<string, string>
                {
                    ["GREETING"] = "hello; world",
                    ["PATH"] = "/opt/none",
                    ["JOBHOST_JOB"] = "forged",
                },
            },
            ["here"] = new { File = "/bin/pwd", WorkingDirectory = Folder },
            ["own"] = new { File = "/bin/sh", Arguments = new[] { "-c", "pwd; ls -A; touch mine" } },
        };
}
