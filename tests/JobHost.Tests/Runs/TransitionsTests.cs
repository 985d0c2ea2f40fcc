using JobHost.Runs;

namespace JobHost.Tests.Runs;

public sealed class TransitionsTests
{
    // Rows: from, columns: to, both in the order of the enum:
    // Queued Running Stuck Succeeded Failed Cancelled Killed TimedOut Lost
    private static readonly string[] Table =
    [
        ".R...C...",
        "Q.SEEEEEE",
        "Q..EEEEEE",
        ".........",
        ".........",
        ".........",
        ".........",
        ".........",
        ".........",
    ];

    public static TheoryData<RunState, RunState, bool> Pairs()
    {
        var pairs = new TheoryData<RunState, RunState, bool>();
        foreach (var from in Enum.GetValues<RunState>())
        {
            foreach (var to in Enum.GetValues<RunState>())
            {
                pairs.Add(from, to, Table[(int)from][(int)to] != '.');
            }
        }
        return pairs;
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Every_pair_of_states_is_a_legal_move_or_not(RunState from, RunState to, bool legal) =>
        Assert.Equal(legal, Transitions.IsLegal(from, to));

    [Fact]
    public void A_final_state_is_never_left_and_any_other_can_be()
    {
        foreach (var from in Enum.GetValues<RunState>())
        {
            var canBeLeft = Enum.GetValues<RunState>().Any(to => Transitions.IsLegal(from, to));
            Assert.Equal(!canBeLeft, Transitions.IsFinal(from));
        }
    }

    [Fact]
    public void Code_may_be_executing_only_while_running_or_stuck() =>
        Assert.Equal(
            [RunState.Running, RunState.Stuck],
            Enum.GetValues<RunState>().Where(state => Transitions.IsExecuting(state))
        );

    [Fact]
    public void Names_of_states_are_those_that_stores_have_kept() =>
        Assert.Equal(
            ["Queued", "Running", "Stuck", "Succeeded", "Failed", "Cancelled", "Killed", "TimedOut", "Lost"],
            Enum.GetNames<RunState>()
        );
}
