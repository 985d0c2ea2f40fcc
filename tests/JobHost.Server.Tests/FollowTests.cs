using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>Logs that are followed, and commands that print more than is kept.</summary>
public sealed class FollowTests
{
    // Prints a line, then waits until the test has seen it.
    private const string Gated =
        "for i in 1 2 3; do echo line $i; while [ ! -e \"$1.$i\" ]; do sleep 0.02; done; done; echo end";

    [Fact(Timeout = 90_000)]
    public async Task Lines_arrive_while_the_run_prints_them_and_following_ends_with_it()
    {
        await using var server = new InProcessServer(Commands.Script("gated", Gated));
        var gate = Path.Combine(Leaks.Folder, $"gate-{Guid.NewGuid():N}");
        var id = await server.Api.StartAsync("gated", new { argument = gate });

        await using var stream = await server.Api.Client.GetStreamAsync(
            $"/api/v1/runs/{id}/logs?follow=true",
            ApiClient.Token
        );
        using var reader = new StreamReader(stream);
        for (var i = 1; i <= 3; i++)
        {
            Assert.Equal($"line {i}", await reader.ReadLineAsync(ApiClient.Token));
            Assert.Equal("running", (await server.Api.GetRunAsync(id)).GetProperty("state").GetString());
            await File.WriteAllTextAsync($"{gate}.{i}", "", ApiClient.Token);
        }

        Assert.Equal("end\n", await reader.ReadToEndAsync(ApiClient.Token));
        Assert.Equal("succeeded", (await server.Api.GetRunAsync(id)).GetProperty("state").GetString());
    }

    [Fact(Timeout = 90_000)]
    public async Task A_reader_that_leaves_harms_nobody()
    {
        await using var server = new InProcessServer(Commands.Script("gated", Gated));
        var gate = Path.Combine(Leaks.Folder, $"gate-{Guid.NewGuid():N}");
        var id = await server.Api.StartAsync("gated", new { argument = gate });
        using (
            var stream = await server.Api.Client.GetStreamAsync($"/api/v1/runs/{id}/logs?follow=true", ApiClient.Token)
        )
        using (var reader = new StreamReader(stream))
        {
            Assert.Equal("line 1", await reader.ReadLineAsync(ApiClient.Token));
        }

        foreach (var i in new[] { 1, 2, 3 })
        {
            await File.WriteAllTextAsync($"{gate}.{i}", "", ApiClient.Token);
        }

        Assert.Equal("succeeded", (await server.Api.EndAsync(id)).GetProperty("state").GetString());
        Assert.EndsWith("end\n", await server.Api.LogAsync(id, "stdout"), StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Following_an_ended_run_from_an_offset_gives_the_rest_and_ends()
    {
        await using var server = new InProcessServer(Commands.Script("prints", "printf 0123456789"));
        var id = (await server.Api.RunAsync("prints")).GetProperty("id").GetString();

        var answer = await server.Api.FetchAsync($"/api/v1/runs/{id}/logs?follow=true&offset=4");

        Assert.Equal("456789", answer.Text);
    }

    [Fact(Timeout = 120_000)]
    public async Task What_a_command_prints_beyond_its_limit_is_counted()
    {
        const string Script = "i=0; while [ $i -lt 100 ]; do echo 123456789; i=$((i+1)); done";
        await using var server = new InProcessServer(Commands.Script("chatty", Script, outputLimit: "55"));
        var id = (await server.Api.RunAsync("chatty")).GetProperty("id").GetString()!;

        Assert.Equal(
            string.Concat(Enumerable.Repeat("123456789\n", 5))
                + "12345\n[945 more bytes were not kept: the output limit is 55 bytes]\n",
            await server.Api.LogAsync(id, "stdout")
        );
        Assert.Equal("", await server.Api.LogAsync(id, "stderr"));
    }
}
