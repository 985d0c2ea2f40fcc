using System.Globalization;
using JobHost.Worker.Native;

namespace JobHost.Tests.Worker;

public sealed class ProcFsTests
{
    [Theory]
    [InlineData("sleep")]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData(") R 1 1 1 (")]
    [InlineData("((((")]
    [InlineData("))))")]
    [InlineData("a) Z 0 0 0 0 0")]
    [InlineData("line\nbreak")]
    [InlineData("tab\tand \0 nul")]
    [InlineData("\uFFFD\uFFFD")]
    public void The_name_of_a_program_cannot_shift_the_fields_behind_it(string command)
    {
        var entry = ProcFs.Parse(Stat(command, 'S', threads: 1))!;
        Assert.Equal(4242, entry.Pid);
        Assert.Equal(command, entry.Command);
        Assert.Equal('S', entry.State);
        Assert.Equal(17, entry.Parent);
        Assert.Equal(18, entry.Group);
        Assert.Equal(19, entry.Session);
        Assert.Equal(987_654_321_012, entry.StartTime);
        Assert.False(entry.IsDead);
    }

    [Theory]
    [InlineData('R', 1, false)]
    [InlineData('D', 1, false)]
    [InlineData('T', 1, false)]
    [InlineData('Z', 1, true)]
    [InlineData('Z', 0, true)]
    [InlineData('Z', 2, false)]
    [InlineData('X', 1, true)]
    public void Dead_is_what_has_no_thread_left_to_run(char state, int threads, bool dead) =>
        Assert.Equal(dead, ProcFs.Parse(Stat("x", state, threads))!.IsDead);

    [Theory]
    [InlineData("")]
    [InlineData("4242")]
    [InlineData("4242 (x")]
    [InlineData("4242 )x(")]
    [InlineData("4242 (x)")]
    [InlineData("4242 (x) R 1 2 3")]
    [InlineData("nonsense (x) R a b c d e f g h i j k l m n o p q r s t u v")]
    public void What_cannot_be_read_is_absent(string stat) => Assert.Null(ProcFs.Parse(stat));

    [Fact]
    public void This_process_is_found_alive()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Skip("There is no /proc here.");
        }
        var entry = ProcFs.Read(Environment.ProcessId)!;
        Assert.Equal(Environment.ProcessId, entry.Pid);
        Assert.False(entry.IsDead);
        Assert.Contains(Environment.ProcessId, ProcFs.Pids());
        Assert.Null(ProcFs.Read(int.MaxValue));
        Assert.NotNull(ProcFs.BootId());
    }

    private static string Stat(string command, char state, int threads) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"4242 ({command}) {state} 17 18 19 0 -1 4194560 98 0 0 0 0 0 0 0 20 0 {threads} 0 987654321012 3133440 223 18446744073709551615 1 1\n"
        );
}
