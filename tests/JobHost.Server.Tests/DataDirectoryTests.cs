using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>The data directory is its owner's alone: what is in it decides who may do what.</summary>
public sealed class DataDirectoryTests
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    [Fact(Timeout = 90_000)]
    public async Task It_is_made_for_its_owner_alone()
    {
        Needs.Linux();
        foreach (var verb in new[] { "serve", "keys" })
        {
            var folder = ServerProcess.NewDataDirectory();
            var data = Path.Combine(folder, "data");
            if (verb == "keys")
            {
                await ServerProcess.RunAsync(folder, arguments: ["keys", "create", "deploy", "admin"]);
                Assert.Equal(
                    UnixFileMode.UserRead | UnixFileMode.UserWrite,
                    File.GetUnixFileMode(Path.Combine(data, "keys.json"))
                );
            }
            else
            {
                await using var server = await ServerProcess.StartAsync(folder);
            }
            Assert.Equal(OwnerOnly, File.GetUnixFileMode(data));
        }
    }

    [Theory(Timeout = 90_000)]
    [InlineData("group", "can be written by others")]
    [InlineData("world", "can be written by others")]
    [InlineData("link", "is a link to")]
    [InlineData("owner", "belongs to another user")]
    public async Task One_that_others_could_change_is_refused(string danger, string words)
    {
        Needs.Linux();
        var folder = ServerProcess.NewDataDirectory();
        var data = Path.Combine(folder, "data");
        Directory.CreateDirectory(data);
        switch (danger)
        {
            case "group":
                File.SetUnixFileMode(data, OwnerOnly | UnixFileMode.GroupWrite);
                break;
            case "world":
                File.SetUnixFileMode(data, OwnerOnly | UnixFileMode.OtherWrite);
                break;
            case "link":
                Directory.Move(data, $"{data}-elsewhere");
                Directory.CreateSymbolicLink(data, $"{data}-elsewhere");
                break;
            default:
                Needs.Root();
                using (var chown = System.Diagnostics.Process.Start("chown", ["12345", data]))
                {
                    await chown.WaitForExitAsync(ApiClient.Token);
                }
                break;
        }

        foreach (var verb in new[] { Array.Empty<string>(), ["keys", "create", "deploy", "admin"] })
        {
            var (exitCode, output) = await ServerProcess.RunAsync(folder, arguments: verb);

            Assert.True(exitCode == JobHostServer.ExitConfiguration, $"{exitCode}: {output}");
            Assert.Contains(words, output, StringComparison.Ordinal);
            Assert.Contains("JobHost:AllowSharedDataDirectory", output, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
        }
        Assert.Empty(Directory.EnumerateFileSystemEntries(data));
        await using var server = await ServerProcess.StartAsync(
            folder,
            settings: ["--JobHost:AllowSharedDataDirectory=true"]
        );
        (await server.Api.FetchAsync("/healthz/ready")).Expect(200);
    }
}
